"""The rules by which a reader does not accept what may be written.

========================  ============================================================================================
rule                      what the reader would not accept
========================  ============================================================================================
``type``, ``value``       another JSON type; a value that is none of its constants
``range``, ``length``     a number beyond its bounds; a text, array or object that is too long or too short
``multiple-of``           a number between its steps
``pattern``, ``format``   a text of another pattern or format
``naive``                 a moment without, or with, an offset from UTC
``limits``                what one of its ``x-limits`` refuses
``unique``                an array in which an item comes twice
``required``              an object without one of its members
``closed``                a member that it does not know, and forbids
``names``                 names of members that it restricts
``validator``             what code of its own may refuse
``never``                 anything
``unknown``               what a keyword means that nobody can vouch for
========================  ============================================================================================
"""

from typing import Final

#: The ids of all rules. Three are the gate's: ``upcast``, what an upcast was seen to refuse, and two that are no breaks
#: but warnings: ``may-be-naive``, a datetime that may have no offset from UTC, and ``may-be-refused``, what the
#: reader's own clock or machine decides.
RULES: Final = frozenset(
    {
        *("type", "value", "range", "length", "multiple-of", "pattern", "format", "naive", "limits", "unique"),
        *("required", "closed", "names", "validator", "never", "unknown", "upcast", "may-be-naive", "may-be-refused"),
    }
)
