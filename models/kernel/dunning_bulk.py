"""Thousands of rows in one statement."""

import json

from odoo.tools import SQL

# Types whose words need quotes in the text of an array.
QUOTED_TYPES = frozenset({'char', 'text', 'html', 'selection', 'datetime', 'json'})


def insert_rows(model, vals_list, *, computed=None, joins=None, alias='new'):
    """Insert rows of a model in one statement and return their ids, in the order of ``vals_list``.

    Past the ORM, that makes a virtual record per row and per amount, to learn its currency: in a run of thousands
    that costs more than deciding about them. The caller answers for access, for rounded amounts, and for what follows
    from the new rows (``modified``).

    What is the same in all rows is sent once, the rest as one text per column: PostgreSQL reads such a text many times
    faster than a list of parameters.

    :param vals_list: dicts of stored columns, all with the same keys
    :param dict computed: ``{column: SQL}`` of what the database works out for each row
    :param joins: SQL that follows the rows in ``FROM``, for ``computed``; exactly one row for each
    :param str alias: the name of the rows in that SQL; the number of a row, from 1, is ``turn_of_row``
    """
    if not vals_list:
        return []
    computed = computed or {}
    fields = [model._fields[name] for name in vals_list[0]]
    columns = [[vals[field.name] for vals in vals_list] for field in fields]
    varying, constant = [], []
    for field, values in zip(fields, columns, strict=True):
        if values.count(values[0]) == len(values):
            constant.append((field, values[0]))
        else:
            varying.append((field, values))
    rows = SQL(
        "(SELECT %s FROM UNNEST(%s) AS varying (%s)) %s",
        SQL(", ").join([SQL("varying.*"), *(
            SQL("%s::%s AS %s", _to_words(field, [value])[0], SQL.identifier(field.column_type[0]),
                SQL.identifier(field.name))
            for field, value in constant)]),
        SQL(", ").join([
            SQL("%s::int4[]", to_array(range(1, len(vals_list) + 1))), *(
                SQL("%s::%s[]", to_array(_to_words(field, values), quoted=field.type in QUOTED_TYPES),
                    SQL.identifier(field.column_type[0]))
                for field, values in varying)]),
        SQL(", ").join([SQL("turn_of_row"), *(SQL.identifier(field.name) for field, _values in varying)]),
        SQL.identifier(alias))
    targets = {field.name: SQL.identifier(alias, field.name) for field in fields} | computed
    if model._log_access:
        uid, now = SQL("%s", model.env.uid), SQL("NOW() AT TIME ZONE 'UTC'")
        targets |= {'create_uid': uid, 'write_uid': uid, 'create_date': now, 'write_date': now}
    inserted = model.env.execute_query(SQL(
        "INSERT INTO %s (%s) SELECT %s FROM %s %s ORDER BY %s RETURNING id",
        SQL.identifier(model._table),
        SQL(", ").join(SQL.identifier(name) for name in targets),
        SQL(", ").join(targets.values()),
        rows, joins or SQL(), SQL.identifier(alias, 'turn_of_row')))
    return [row_id for (row_id,) in inserted]


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


def log_on(records, bodies, cleaned=None):
    """Log one line on each of many records, as ``_message_log_batch`` does.

    Core writes the first; for the others its row is copied in one statement, with their own text. So whatever core or
    another addon puts on such a message is on all of them, at the price of one.

    :param dict bodies: ``{record id: Markup}``; what several records share is cleaned once
    :param dict cleaned: ``{Markup: what is stored}`` of the same texts on other records; is added to
    """
    cleaned = {} if cleaned is None else cleaned
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


def _to_words(field, values):
    """Return values as PostgreSQL reads them, or None for nothing."""
    if field.type == 'boolean':
        return [None if value is None else str(value) for value in values]
    word = json.dumps if field.type == 'json' else str
    return [None if value is None or value is False else word(value) for value in values]


def to_array(values, *, quoted=False):
    """Return values as the text of a PostgreSQL array.

    :param bool quoted: whether their words can contain anything but digits and letters
    """
    words = ['NULL' if value is None else str(value) for value in values] if not quoted else [
        'NULL' if value is None else '"%s"' % str(value).replace('\\', '\\\\').replace('"', '\\"')
        for value in values]
    return '{%s}' % ','.join(words)
