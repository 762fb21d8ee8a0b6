/**
 * The grammar of filters, in ohm's notation: what is asked of a list, a count, a grant or a subscription. `//+` lines are filters that
 * a rule must accept whole, `//-` lines what it must refuse; both are run as tests. Words of the language may be written in capitals.
 */
export const grammarText = String.raw`
Filter {
  //+ "state == 'built'", "not ( a == 1 or b == 2 ) and c == 3", "site in subtree( 'lab' )"
  //- "", "state", "state = 'built'", "( a == 1", "a == 1 or", "a == 1 b == 2"
  Filter = Either end

  //+ "a == 1 or b == 2 or c == 3"
  Either = NonemptyListOf<Both, or>
  //+ "a == 1 and b == 2"
  Both = NonemptyListOf<Part, and>

  Part = not Part --not
    | "(" Either ")" --brackets
    | Condition

  Condition = Field in subtree "(" text ")" --within
    | Field not in subtree "(" text ")" --outside
    | Field isa text --isa
    | Field not in List --noneOf
    | Field in List --oneOf
    | Field operator Value --compare
    | exists "(" Field ")" --exists

  //+ "state", "config.role", "config.disk_list", "fields.ipmi_ip_address"
  //- "1a", ".a", "a.", "'a'", "config.", "and"
  Field = name

  //+ "[ 'a', 'b' ]", "[]", "( 1, 2 )"
  List = "[" ListOf<Value, ","> ","? "]" --square
    | "(" NonemptyListOf<Value, ","> ","? ")" --round

  //+ "'text'", "1", "-2.5", "true", "True", "none", "null"
  Value = text | number | constant

  operator = "==" | "!=" | "<=" | ">=" | "<" | ">" | contains | like
  name = ~(word ~nameMore) letter nameMore* ("." nameMore+)*
  nameMore = alnum | "_" | "-"
  text = "'" (~"'" any)* "'" --single
    | "\"" (~"\"" any)* "\"" --double
  number = "-"? digit+ ("." digit+)? ~nameMore
  constant = (caseInsensitive<"true"> | caseInsensitive<"false"> | caseInsensitive<"none"> | caseInsensitive<"null">) ~nameMore

  and = caseInsensitive<"and"> ~nameMore
  or = caseInsensitive<"or"> ~nameMore
  not = caseInsensitive<"not"> ~nameMore
  in = caseInsensitive<"in"> ~nameMore
  isa = caseInsensitive<"isa"> ~nameMore
  contains = caseInsensitive<"contains"> ~nameMore
  like = caseInsensitive<"like"> ~nameMore
  exists = caseInsensitive<"exists"> ~nameMore
  subtree = caseInsensitive<"subtree"> ~nameMore
  word = and | or | not | in | isa | contains | like | constant
}
`
