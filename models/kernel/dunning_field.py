"""Fields that spare core, the database or both a part of their usual work."""

from odoo import fields
from odoo.tools import sql


class CopiedMany2one(fields.Many2one):
    """A stored copy (``related``) of a reference for which its own record has a foreign key, without a second one.

    The copy cannot outlive what it is a copy of, so a key of its own would find nothing that the other does not; and
    PostgreSQL asks each key for each row: making notices, these questions are a quarter of the time.
    """

    def update_db_foreign_key(self, model, column):
        # OVERRIDE: earlier versions had one.
        name = f'{model._table}_{self.name}_fkey'
        if sql.constraint_definition(model.env.cr, model._table, name):
            sql.drop_constraint(model.env.cr, model._table, name)


class PickedMany2many(fields.Many2many):
    """What a form lists for as long as it is open, without a foreign key to the records in it.

    Each key to journal items makes PostgreSQL slower whenever it writes one, for everybody, and half of ours were those
    of forms. Reading such a list leaves out what was deleted by itself; the rows go when the form does.
    """

    def update_db_foreign_keys(self, model):
        # OVERRIDE: the key to the form only; earlier versions had both.
        cr, comodel = model.env.cr, model.env[self.comodel_name]
        for name in sql.get_foreign_keys(cr, self.relation, self.column2, comodel._table, 'id', self.ondelete):
            sql.drop_constraint(cr, self.relation, name)
        model.pool.add_foreign_key(
            self.relation, self.column1, model._table, 'id', 'cascade', model, self._module, force=False)


class Whole:
    """A field that says something of all that its record is about: empty for who may see a part of that only.

    The model says who, in ``_sees_whole``.
    """

    def convert_to_record(self, value, record):
        return super().convert_to_record(value if value is None or record._sees_whole() else None, record)


class WholeBinary(Whole, fields.Binary):
    """A file about all of it."""


class WholeMany2one(Whole, fields.Many2one):
    """A record that is about all of it, and whose name says so."""


class WholeJson(Whole, fields.Json):
    """Facts about all of it."""


class Answer:
    """A field that is worked out when it is read: there is nothing in the database to sort, group or add up.

    Core finds that out by trying, for each such field, whenever it describes a journal item; which it does every time
    it writes one.
    """

    _description_sortable = False
    _description_groupable = False
    _description_aggregator = None

    def get_description(self, env, attributes=None):
        # EXTENDS: worked out once per language, for as long as core keeps the names of the fields, which are new when a
        # translation was.
        if attributes is not None:
            return super().get_description(env, attributes)
        names = env['ir.model.fields']._get_fields_cached(self.model_name)
        described = self.__dict__.setdefault('_described', {})
        kept = described.get(env.lang)
        if kept is None or kept[0] is not names:
            kept = described[env.lang] = names, super().get_description(env)
        return dict(kept[1])


class AnswerMany2one(Answer, fields.Many2one):
    """A reference that is worked out when it is read."""


class AnswerInteger(Answer, fields.Integer):
    """A number that is worked out when it is read."""


class AnswerText(Answer, fields.Text):
    """A text that is worked out when it is read."""


class AnswerDate(Answer, fields.Date):
    """A day that is worked out when it is read, of a model that knows how to sort by it."""

    _description_sortable = True
