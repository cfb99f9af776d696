from . import dunning_credit_rule
from . import dunning_credit_release
from . import dunning_policy
from . import payment_transaction
from . import res_partner
from . import sale_order
from . import sale_order_line
