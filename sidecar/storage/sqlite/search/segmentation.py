"""The words of a folded text, as the index takes them and as a query is read.

Scripts that are written without spaces are indexed by pairs of characters: a search for several characters is then one
for a phrase of pairs. The last character of a run is a word of its own, so that every character begins a word.
"""

import re
from functools import cache

from sidecar.storage.sqlite.search.folding import EMOJI

UNSPACED = (
    "⺀-⿕々-〇ぁ-ゖゝ-ゟァ-ヺー-ヿㄅ-ㄯㄱ-ㆎㇰ-ㇿ㐀-䶿一-鿿ꥠ-ꥼ가-힣ힰ-ퟻ豈-龎𠀀-𲎯"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf"  # Thai, Lao
    "\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3"  # Burmese, Khmer
)
"""Ranges of folded characters of scripts without spaces."""

LETTER = f"[^\x00-/:-`{{-\x7f{UNSPACED}{EMOJI}]"
"""A character of a word that is written with gaps around it."""

GAP = r"[\x00-/:-@\[-`{-\x7f]"
"""A character that is in no word."""

_UNSPACED_OR_EMOJI = "[\u0e01-\U0010ffff]"
"""A quick look, with which most texts in European languages are done."""

_RUN = f"[{UNSPACED}]+|[{EMOJI}]"
_TOKEN = f"{LETTER}+|[{UNSPACED}]+|[{EMOJI}]"
_LINE_BREAK = f"\n(?<=[{UNSPACED}]\n)(?=[{UNSPACED}])"
"""Inside a run. Texts without spaces are wrapped anywhere."""

_ASCII_WORD = "[a-z0-9]+"

pattern = cache(re.compile)
"""Compiles a pattern when a text first needs it: one of many ranges takes milliseconds."""

_SIGNS = {ord(sign): chr(0xE000 + ord(sign)) for sign in "-+.#@$/~"}
"""Signs as private characters, which the tokenizer takes for parts of a word."""

_BEFORE = r"[-+.#@$/~](?<=[\s\"'(\[{<`=,;:|].)[-+.#@$/~]{0,7}[a-z0-9]{1,64}"
_BEHIND = r"[+#](?:(?<=\+)\+|(?![a-z0-9+#]))"
_LAST_WORD = r"[a-z0-9]{1,64}\Z"


def segmented(text: str) -> str:
    """Return a folded text with its runs of scripts without spaces, and its pictures, as words."""
    if text.isascii() or not pattern(_UNSPACED_OR_EMOJI).search(text):
        return text
    return pattern(_RUN).sub(_spaced_pairs, pattern(_LINE_BREAK).sub("", text))


def tokens(text: str) -> list[str]:
    """Return the words, the runs of scripts without spaces and the pictures of a folded text."""
    return pattern(_ASCII_WORD if text.isascii() else _TOKEN).findall(text)


def is_run(token: str) -> bool:
    """Return whether a token is a run of a script without spaces."""
    return is_apart(token) and pattern(f"[{EMOJI}]").match(token) is None


def is_apart(token: str) -> bool:
    """Return whether anything may stand beside a token: it is a run or a picture."""
    return not token.isascii() and pattern(_RUN).match(token) is not None


def pairs(run: str) -> list[str]:
    """Return the pairs of neighbouring characters of a run."""
    return list(map(str.__add__, run, run[1:]))


def signed_words(text: str) -> list[tuple[str, str]]:
    """Return the words of a folded text that have signs before or behind them, as they are and as the index has them.

    Such as `--force`, `-5`, `.net`, `/usr`, `c++` and `c#`. What ends a sentence is no sign.
    """
    found = pattern(_BEFORE).findall(f" {text}")
    if "+" not in text and "#" not in text:
        return [(word, word.translate(_SIGNS)) for word in found] if found else []
    for signs in pattern(_BEHIND).finditer(text):
        word = pattern(_LAST_WORD).search(text, max(0, signs.start() - 64), signs.start())
        if word is not None:
            found.append(word[0] + signs[0])
    return [(word, word.translate(_SIGNS)) for word in found]


def _spaced_pairs(run: re.Match[str]) -> str:
    characters = run[0]
    return f" {' '.join(map(str.__add__, characters, characters[1:]))} {characters[-1]} "
