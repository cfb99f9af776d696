from . import test_level_wording, test_typed_text
