from . import dunning_receipt_enter
