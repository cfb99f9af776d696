from . import account_payment
from . import account_payment_order
from . import dunning_planner
