"""What Jinja2 itself says of the templates in templates.json: prints cases.json.

    python3 reference.py > cases.json
"""

import copy
import json
import os
import sys

from jinja2 import Environment, StrictUndefined, Undefined


class RefusedUndefined(StrictUndefined):
    """May be asked for: config values say `{% if name %}` of names that may not be there."""

    __bool__ = Undefined.__bool__


def render(case):
    environment = Environment(
        trim_blocks=False,
        lstrip_blocks=False,
        keep_trailing_newline=True,
        autoescape=False,
        undefined=RefusedUndefined if case.get('unknown') == 'refuse' else Undefined,
    )
    try:
        return {'expected': environment.from_string(case['template']).render(copy.deepcopy(case.get('context', {})))}
    except Exception:
        return {'error': True}


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, 'templates.json'), encoding='utf-8') as file:
        cases = json.load(file)
    lines = [json.dumps({**case, **render(case)}, ensure_ascii=True) for case in cases]
    sys.stdout.write('[\n  ' + ',\n  '.join(lines) + '\n]\n')


if __name__ == '__main__':
    main()
