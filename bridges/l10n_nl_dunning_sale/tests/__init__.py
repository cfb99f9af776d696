from . import test_credit_policy
from . import test_held_orders
from . import test_i18n
from . import test_order_views
from . import test_sale_tour
from . import test_seller_news
