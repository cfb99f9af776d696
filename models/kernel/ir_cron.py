import logging

import psycopg2

from odoo import api, models

_logger = logging.getLogger(__name__)


class IrCron(models.Model):
    _inherit = 'ir.cron'

    @api.model
    def _commit_dunning(self, processed=0, **values):
        """Commit as ``_commit_progress`` does, and return the time that is left.

        What waits for a commit, such as an e-mail of any application, may fail: the work goes on all the same.
        """
        try:
            return self._commit_progress(processed, **values)
        except psycopg2.Error:
            raise  # the commit itself
        except Exception:
            _logger.exception("Something that followed a commit failed")
            return self._commit_progress()  # and what else followed it
