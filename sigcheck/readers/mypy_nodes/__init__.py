"""From the trees that mypy has analysed to core values. Needs mypy, never libcst; the code under check is never imported.

`classes` reads a module's class statements with `bodies` and `expressions`, `flow`, which is loaded when a contract asks about a
body, the few of these, `references` names what mypy bound, `summary` is
what other modules see of a class, `symbols` what is left of one without a summary, `resolution` finds them. Signatures of names and
kinds alone are made beside this package, in `readers/mypy_signatures`, without loading it; `readers/mypy_decorators` knows what
annotations say of decorators.
"""

from sigcheck.readers.mypy_nodes.classes import ReadClass, ReadModule, read_module
from sigcheck.readers.mypy_nodes.expressions import SourceText
from sigcheck.readers.mypy_nodes.references import References
from sigcheck.readers.mypy_nodes.resolution import LeftOutError, MypyResolver
from sigcheck.readers.mypy_nodes.summary import Summary, summary_of

__all__ = [
    "LeftOutError",
    "MypyResolver",
    "ReadClass",
    "ReadModule",
    "References",
    "SourceText",
    "Summary",
    "read_module",
    "summary_of",
]
