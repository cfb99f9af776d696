from . import (
    test_arrangement,
    test_arrangement_desk,
    test_arrangement_document,
    test_arrangement_follow,
    test_arrangement_life,
    test_arrangement_referee,
    test_arrangement_sign,
    test_mail_width,
    test_promise,
    test_promise_mail,
    test_promise_replay,
    test_typed_words,
)
