from . import (
    test_delivery,
    test_dispatcher,
    test_proposal,
    test_queue,
    test_queue_job,
    test_quiet,
    test_reply,
    test_run,
    test_run_check,
    test_withdrawal,
    test_wizard,
)
