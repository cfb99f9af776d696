from . import (
    test_gate,
    test_one_message,
    test_planner,
    test_reasons,
    test_simulation,
    test_why,
)
