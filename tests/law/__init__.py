from . import (
    test_interest_rate,
    test_law_stories,
    test_letter_world,
)
