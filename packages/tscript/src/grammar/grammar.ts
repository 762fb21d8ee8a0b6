/**
 * The grammar of TScript, in ohm's notation. `//+` lines are programs that a rule must accept whole, `//-` lines what it
 * must refuse; both are run as tests.
 *
 * A program is a sequence of pieces: an `if … then`, an `else`, a `begin( … )`, an `end`, a plain statement. The rules
 * below are those of one piece. How pieces nest is decided by `syntax/assemble.ts`, which needs no recursion for it and so
 * takes a million of them, and where lines end by `syntax/pieces.ts`. Blanks are skipped by the capitalised rules.
 *
 * Operators are one flat list here. Their precedence is the table in `syntax/precedence.ts`: a rule for each of nine
 * levels would cost nine times the stack for each parenthesis.
 */
export const GRAMMAR = String.raw`
TScript {
  Piece
    = If | Elif | Else | While | Begin | End | Label | Goto | Word | Assignment | Value

  //+ "if True then", "if ( size > 4 ) then", "if not exists( size ) then"
  //- "if then", "if True", "ifTrue then", "if True then size = 4"
  If = if Value then
  //+ "elif ( num == 2 ) then"
  //- "elif", "else if True then"
  Elif = elif Value then
  //+ "else"
  //- "else then"
  Else = else
  //+ "while ( ii < 5 ) do", "while True do"
  //- "while do", "while True"
  While = while Value do

  //+ "begin()", "begin( description='Wipe', max_time=10:00 )"
  //- "begin", "begin( 5 )", "begin( max_time=( 1 + 2 ) )", "begin( max_time=1:00, )"
  Begin = begin "(" ListOf<Option, ","> ")"
  //+ "max_time=1:00", "description = 'Disk'"
  //- "max_time", "max_time=size"
  Option = label "=" Constant
  //+ "5", "-5", "1:30", "'text'", "True", "None"
  //- "[]", "size"
  Constant = time | number | text | literal
  //+ "end"
  //- "ends"
  End = closing

  //+ ":again"
  //- ":", "again:"
  Label = ":" label
  //+ "goto again"
  //- "goto", "gotoagain"
  Goto = goto label
  //+ "break", "continue", "pass"
  //- "breaks", "break 2"
  Word = break | continue | pass

  //+ "size = 4", "foundation.power='on'", "list[ 0 ] = 1", "list[0][ 'a' ] = 1", "aa = bb = 4"
  //- "5 = 4", "size =", "size == 4", "len() = 4", "( size ) = 4"
  Assignment = (Target assign)+ Value
  //+ "size", "module.name", "list[ 1 ]", "list[ 1 ][ 2 ]"
  //- "end", "len()", "[ 1 ]"
  Target = (member | variable) Index*
  //+ "[ 0 ]", "[ ( ii + 1 ) ]"
  //- "[]", "[ 1, 2 ]"
  Index = "[" Value "]"

  //+ "4", "( 1 + 2 )", "1 + 2 * 3", "not ok and True", "2 - -3", "'a' . 'b'", "a.b . c"
  //- "1 +", "+ size", "( 1 ~ 2 )", "1 2", "a = b", "()"
  Value = Operand (operator Operand)*
  //+ "not not True", "not list[ 0 ]", "list[ 0 ][ 1 ]", "Not True"
  //- "not", "list[ ]"
  Operand = not* Primary Index*
  Primary
    = "(" Value ")"  -- parenthesised
    | Array | Map | Exists | Call | time | number | text | literal | member | variable

  //+ "[]", "[ 1, 'two', [ 3 ] ]", "[ 1, 2, ]"
  //- "[ , ]", "[ 1 2 ]", "[ 1,, 2 ]"
  Array = "[" (NonemptyListOf<Value, ","> ","?)? "]"
  //+ "{}", "{ one=1, other='x' }", "{ one=1, }", "{ end=2 }"
  //- "{ one: 1 }", "{ 'one'=1 }", "{ 1 }", "{ , }"
  Map = "{" (NonemptyListOf<Entry, ","> ","?)? "}"
  Entry = label "=" Value
  //+ "exists( size )", "exists( list[ 0 ] )", "exists( module.name )"
  //- "exists", "exists( 5 )", "exists( size() )", "exists()"
  Exists = exists "(" Target ")"
  //+ "len( array=list )", "foundation.power_on()", "slice( array=list, start=0, end=2 )"
  //- "len( list )", "len(", "len( array=list, )", "end()"
  Call = (member | variable) "(" ListOf<Entry, ","> ")"

  time (a time) = digits (":" digits)+
  //+ "7", "-7", "+7", "1.5", "0012"
  //- "1.", ".5", "- 7", "1e5"
  number (a number) = ("-" | "+")? digits ("." digits)?
  digits = digit+
  //+ "'it'", "\"it's\"", "''"
  //- "'it", "it"
  text (a text) = "'" (~"'" any)* "'" | "\"" (~"\"" any)* "\""
  //+ "True", "false", "None"
  //- "TRUE", "Trues"
  literal = ("True" | "true" | "False" | "false" | "None" | "none") ~rest

  //+ "foundation.locator", "foundation.end"
  //- "foundation . locator", "end.foundation"
  member (a module's value) = ~reserved label "." label
  //+ "size", "x", "ending", "a1b2_3"
  //- "end", "_size", "2a", "a-b"
  variable (a name) = ~reserved label
  label (a name) = letter rest*
  rest = letter | digit | "_"
  letter := "a".."z" | "A".."Z"

  assign (=) = "=" ~"="
  //+ "==", "<", "and"
  //- "=", "~", "xor"
  operator (an operator)
    = "==" | "!=" | "<=" | ">=" | "<" | ">" | "+" | "-" | "*" | "/" | "%" | "^" | "." | "&" | "|" | and | or

  if = "if" ~rest
  then (then) = "then" ~rest
  elif = "elif" ~rest
  else = "else" ~rest
  while = "while" ~rest
  do (do) = "do" ~rest
  begin = "begin" ~rest
  closing = "end" ~rest
  goto = "goto" ~rest
  exists = "exists" ~rest
  break = "break" ~rest
  continue = "continue" ~rest
  pass = "pass" ~rest
  and = "and" ~rest
  or = "or" ~rest
  not (not) = ("not" | "Not") ~rest
  reserved = if | then | elif | else | while | do | begin | closing | goto | exists | break | continue | pass | and | or | not | literal
}
`
