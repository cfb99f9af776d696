from . import dunning_debit_return
