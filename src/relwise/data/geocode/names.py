"""Names of places in one spelling."""

from __future__ import annotations

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['\u2019\u2018`\u00b4\u02bc\u02bb]")
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015./,;()_]+")
_SHORT = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort"}


def plain(name: str) -> str:
    """A name with case folded and accents taken off, as are hyphens and full stops; "St." is "saint".

    >>> plain("SAINT-JÉRÔME"), plain("St. Jerome"), plain("Val d'Or")
    ('saint jerome', 'saint jerome', 'val dor')
    """
    folded = name.casefold()
    if not folded.isascii():
        # Accents of Latin, Greek and Cyrillic letters alone: what other scripts write as marks are letters there.
        folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", folded)))
        folded = folded.casefold()
    words = _BETWEEN.sub(" ", _APOSTROPHES.sub("", folded)).split()
    return " ".join(_SHORT.get(word, word) for word in words)


def squeezed(name: str) -> str:
    """`plain` without spaces: "New Market" and "Newmarket" are one name.

    >>> squeezed("Moose-Jaw"), squeezed("MOOSEJAW")
    ('moosejaw', 'moosejaw')
    """
    return plain(name).replace(" ", "")
