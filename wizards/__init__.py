from . import notice
from . import hold
from . import claim
from . import planner
from . import sending
from . import agreement
from . import collecting
from . import privacy
