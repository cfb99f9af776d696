from . import test_debtor_type, test_notice, test_told
