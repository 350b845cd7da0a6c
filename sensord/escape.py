"""Text from elsewhere (names, logs, messages), made harmless for a terminal."""


def escape(text: str) -> str:
    r"""Show what would control a terminal, or turn text around, not send it: ESC as `\x1b`, a newline as `\n`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
