from . import (
    test_direct_debit,
    test_gate,
    test_money_is_kept,
    test_no_debt,
    test_one_message,
    test_planner,
    test_reasons,
    test_time_machine,
    test_why,
)
