from . import (
    test_call,
    test_call_api,
    test_debtor,
    test_debtor_screen,
    test_undo,
    test_windows,
)
