from . import dunning_debit_order
from . import dunning_debit_payment
