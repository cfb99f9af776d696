from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    """Write down what left last, so that this server knows the letters that were sent before it kept a note."""
    marker = api.Environment(cr, SUPERUSER_ID, {})['dunning.marker']
    last = marker._get_last()
    if last and marker._is_kept():
        marker._write_file(marker._get_path(), last)
