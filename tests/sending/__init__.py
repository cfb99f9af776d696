from . import (
    test_breaker,
    test_delivery,
    test_dispatcher,
    test_making,
    test_proposal,
    test_queue,
    test_queue_job,
    test_quiet,
    test_reply,
    test_run,
    test_withdrawal,
    test_wizard,
)
