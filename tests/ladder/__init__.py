from . import test_level_wording
