from . import test_payment_mandate
