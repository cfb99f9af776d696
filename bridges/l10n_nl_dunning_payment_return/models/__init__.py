from . import payment_return
