from . import account_move
from . import dunning_letter_text
from . import dunning_letter
from . import dunning_notice
from . import dunning_debtor_mail
from . import ir_mail_server
from . import dunning_level
from . import mail_template
