"""Thousands of records at once."""

from odoo import api, models
from odoo.tools import SQL, OrderedSet, float_round


class DunningBulk(models.AbstractModel):
    """A model of which thousands of records are made at once: `create` as ever, in one statement."""

    _name = 'dunning.bulk'
    _description = "Records Made in Bulk"

    @api.model
    def _prepare_create_values(self, vals_list):
        # EXTENDS 'base': defaults are asked once for all that lack the same.
        if len(vals_list) > 1 and all(vals.keys() == vals_list[0].keys() for vals in vals_list):
            [first] = super()._prepare_create_values(vals_list[:1])
            if '__precomputed__' not in first:
                added = {name: value for name, value in first.items() if name not in vals_list[0]}
                return [
                    {**added, **{name: value for name, value in vals.items() if name in first}} for vals in vals_list]
        return super()._prepare_create_values(vals_list)

    @api.model
    def _create(self, data_list):
        # OVERRIDE 'base': core inserts a hundred rows at a time, makes a virtual record for each amount to learn its
        # currency, and works out again what was given: for a run of thousands that took longer than all the rest.
        rows = [data['stored'] for data in data_list]
        fields = [self._fields[name] for name in rows[0]]
        if any(row.keys() != rows[0].keys() for row in rows) or any(field.type == 'properties' for field in fields):
            return super()._create(data_list)
        columns = {field: self._convert_column(field, rows) for field in fields if field.column_type}
        self.env.cr.execute(SQL(
            'INSERT INTO %s (%s) VALUES %s RETURNING id',
            SQL.identifier(self._table),
            SQL(", ").join(SQL.identifier(field.name) for field in columns),
            SQL(", ").join(zip(*columns.values(), strict=True))))
        records = self.browse([row_id for (row_id,) in self.env.cr.fetchall()])
        for data, record in zip(data_list, records, strict=True):
            data['record'] = record
        self._fill_cache(records, rows, columns)
        others = [field for field in fields if field not in columns]
        with self.env.protecting(data_list[0]['protected'], records):
            records.modified(self._fields, create=True)
            for field in sorted(others, key=lambda field: field._sequence):
                field.create([(record, row[field.name]) for record, row in zip(records, rows, strict=True)])
            if others:
                records.modified([field.name for field in others], create=True)
        records._validate_fields(rows[0])
        records.check_access('create')
        return records

    @api.model
    def _convert_column(self, field, rows):
        """Return the values of a field in rows-to-be as they stand in the database."""
        values = [row[field.name] for row in rows]
        if field.type == 'monetary':
            return [
                float_round(value, precision_rounding=currency.rounding) if value and currency else value or 0.0
                for value, currency in zip(values, self._get_currencies(field, rows), strict=True)]
        if values.count(values[0]) == len(values):
            return len(values) * [field.convert_to_column_insert(values[0], self, rows[0])]
        return [field.convert_to_column_insert(value, self, row) for value, row in zip(values, rows, strict=True)]

    @api.model
    def _get_currencies(self, field, rows):
        """Return the currency of an amount in each of these rows-to-be; each record they refer to is read once."""
        currency_field = self._fields[field.get_currency_field(self)]
        first, _dot, rest = (currency_field.related or currency_field.name).partition('.')
        ids = [row.get(first) for row in rows]
        referred = self.env[self._fields[first].comodel_name].browse(OrderedSet(ids))
        known = {record.id: record.mapped(rest) if rest else record for record in referred}
        return [known[record_id] for record_id in ids]

    @api.model
    def _fill_cache(self, records, rows, columns):
        """Put new records into the cache, but for what changes on its way to the database: that is read again."""
        for field in self._fields.values():
            if not field.store or field.name == 'id':
                continue
            if field in columns and not getattr(field, 'translate', False) and field.type != 'html':
                values = columns[field] if field.type == 'monetary' else [
                    field.convert_to_cache(row[field.name], self, validate=False) for row in rows]
                field._insert_cache(records, values)
                for inverse in self.pool.field_inverses[field]:
                    referred = self.env[inverse.model_name].browse(OrderedSet(filter(None, values)))
                    referred.invalidate_recordset([inverse.name], flush=False)
            elif field not in columns:
                field._insert_cache(records, [() if field.type in ('one2many', 'many2many') else None] * len(rows))


def schedule_activities(records, activity_type, vals_by_id):
    """Plan an activity on each of these records, as ``activity_schedule`` does, however different they are.

    :param str activity_type: XML ID of its type
    :param dict vals_by_id: ``{record id: fields of its activity}``
    """
    shared = {
        'activity_type_id': records.env['ir.model.data']._xmlid_to_res_id(activity_type, raise_if_not_found=True),
        'res_model_id': records.env['ir.model']._get_id(records._name),
        'automated': True,
    }
    return records.env['mail.activity'].create([
        {**shared, 'res_id': record_id, **vals} for record_id, vals in vals_by_id.items()])


def log_on(records, bodies, cleaned):
    """Log one line on each of many records, as ``_message_log_batch`` does.

    Core writes the first; for the others its row is copied in one statement, with their own text. So whatever core or
    another addon puts on such a message is on all of them, at the price of one.

    :param dict bodies: ``{record id: Markup}``; what several records share is cleaned once
    :param dict cleaned: ``{Markup: what is stored}`` of the same texts on other records; is added to
    """
    first, others = records[:1], records[1:]
    if not first:
        return
    message = first._message_log_batch({first.id: bodies[first.id]})
    if not others:
        return
    message.flush_recordset()
    body = message._fields['body']
    for text in {bodies[record.id] for record in others} - cleaned.keys():
        cleaned[text] = body.convert_to_column(text, message)
    columns = SQL(", ").join(
        SQL.identifier(name) for name, field in message._fields.items()
        if field.store and field.column_type and name not in ('id', 'res_id', 'body'))
    message.env.execute_query(SQL(
        """
        INSERT INTO mail_message (%(columns)s, res_id, body)
             SELECT %(columns)s, other.id, other.text
               FROM (SELECT %(columns)s FROM mail_message WHERE id = %(message)s) said
         CROSS JOIN UNNEST(%(ids)s::int[], %(texts)s::text[]) AS other (id, text)
          RETURNING id
        """,
        columns=columns, message=message.id, ids=others.ids, texts=[cleaned[bodies[record.id]] for record in others],
    ))
    others.invalidate_recordset(['message_ids'])
