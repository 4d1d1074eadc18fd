"""What Korean writes behind a noun without a space: 민수가, 민수에게서는, 민수였다."""

from unicodedata import normalize

_TITLES = "들 님 씨 군 양 네"
_PARTICLES = (
    "이 가 은 는 을 를 의 도 만 과 와 랑 이랑 하고 에 에서 에게 에게서 에겐 에게로 한테 한테서 께 께서 께서는 더러 "
    "보고 로 으로 로서 으로서 로써 으로써 로부터 으로부터 부터 까지 마저 조차 밖에 처럼 같이 만큼 보다 마다 대로 "
    "뿐 커녕 나 이나 든 이든 든지 이든지 라도 이라도 야 이야 야말로 이야말로 여 이여 시여 이시여 아 요 이요 서"
)
_IS = (
    "다 이다 고 이고 며 이며 자 이자 지 이지 지만 이지만 라 이라 라고 이라고 라는 이라는 란 이란 라면 이라면 라서 "
    "이라서 니까 이니까 니 이니 인 인데 인가 인지 인들 일 일까 던 이던 면서 이면서 므로 이므로 로군 이로군 "
    "로구나 이로구나 군요 이군요 네요 이네요 죠 이죠 예요 이에요 에요 랍니다 이랍니다"
)
_WAS = "였 이었 셨 이셨 입니"  # with any ending


def _either(words: str) -> str:
    """Return a pattern of any of the words, composed or in single letters."""
    forms = {normalize(form, word) for word in words.split() for form in ("NFC", "NFD")}
    return f"(?:{'|'.join(sorted(forms, key=lambda form: (-len(form), form)))})"


PARTICLES = rf"{_either(_TITLES)}?{_either(_PARTICLES)}{{0,3}}(?:{_either(_IS)}|{_either(_WAS)}\p{{Hangul}}*)?"
"""The pattern of what may stand behind a noun, at most three particles and a form of "to be", or nothing."""
