from . import debtor
from . import arrangement
from . import payment
