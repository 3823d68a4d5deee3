from __future__ import annotations

import pytest

from tests.annotation.privacy.finding import found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("验证码482193", "482193"),
        ("验证码482193张小林", "482193"),
        ("【某某】您的验证码是482193，5分钟内有效", "482193"),
        ("验证码：４８２１９３", "４８２１９３"),
        ("482193是验证码别告诉别人", "482193"),
        ("482193（动态验证码）", "482193"),
        ("取件码3-2-1005帮我拿", "3-2-1005"),
        ("取件码 A-12-3456", "A-12-3456"),
        ("wifi密码：abc12345", "abc12345"),
        ("密码是Tr0ub4dor&3", "Tr0ub4dor&3"),
        ("门禁密码是1234#", "1234"),
        ("提取码: x7ab", "x7ab"),
        ("密码一二三四五六", "一二三四五六"),
        ("验证码我发你了 4821", "4821"),
        ("your code is 482193", "482193"),
        ("482193 is your verification code", "482193"),
        ("G-482193 is your code", "G-482193"),
        ("the PIN is 4821", "4821"),
        ("Use 482193 to log in", "482193"),
        ("请凭 12-3-4567 取件", "12-3-4567"),
        ("zip 94043-1234", "94043-1234"),
        ("OTP: 482-193", "482-193"),
        ("code for the gate is 4821", "4821"),
        ("password: hunter2!", "hunter2"),
    ],
)
def test_a_code_is_found_before_and_behind_its_word(text: str, code: str) -> None:
    assert code in [thing.rstrip("!#") for kind, thing in found(text) if kind == "code"]


@pytest.mark.parametrize(
    "text",
    [
        "密码忘了",
        "验证码收不到",
        "code is broken",
        "password reset",
        "error code 404",
        "密码箱花了1200元",
        "this code took 3000 lines",
        "pin it",
        "取件码发我",
        "密码锁 2024年款",
    ],
)
def test_the_words_alone_are_no_code(text: str) -> None:
    assert found(text) == []
