# Names of files are unique over all packages: Odoo knows a test by the last part of its module.
from .tools import *
from .kernel import *
from .debtor import *
from .law import *
from .ladder import *
from .notice import *
from .hold import *
from .claim import *
from .planner import *
from .letter import *
from .sending import *
from .agreement import *
from .collecting import *
from .portal import *
from .handover import *
from .privacy import *
