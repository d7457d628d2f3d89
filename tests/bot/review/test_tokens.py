"""Form tokens fit their session and no other; hashes give nothing away."""

from hypothesis import given
from hypothesis import strategies as st

from bot.review.api_tokens import bearer_token
from bot.review.tokens import form_token, is_form_token, new_token, token_hash


def test_a_form_token_fits_its_session_only():
    here, there = new_token(), new_token()
    assert is_form_token(form_token(here), here)
    assert not is_form_token(form_token(here), there)
    assert form_token(here) != form_token(here)


@given(st.text())
def test_anything_else_does_not_fit_and_breaks_nothing(token):
    assert not is_form_token(token, "session")
    assert token_hash(token)


def test_a_changed_form_token_does_not_fit():
    token = form_token("session")
    assert not is_form_token(("A" if token[0] != "A" else "B") + token[1:], "session")


def test_the_token_of_a_script_is_read_from_its_header():
    assert bearer_token("Bearer offhook_x") == bearer_token("bearer  offhook_x ") == "offhook_x"
    assert bearer_token("Basic eDp5") is None
    assert bearer_token("Bearer") == ""
