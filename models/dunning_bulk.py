"""Thousands of rows in one statement."""

from odoo.tools import SQL


def insert_rows(model, vals_list):
    """Insert rows of a model in one statement and return their ids, in the order of ``vals_list``.

    Past the ORM, that makes a virtual record per row and per amount, to learn its currency: in a run of thousands
    that costs more than deciding about them. The caller answers for access, for rounded amounts, and for what follows
    from the new rows (``modified``).

    :param vals_list: dicts of stored columns, all with the same keys
    """
    if not vals_list:
        return []
    names = list(vals_list[0])
    columns = SQL(", ").join(SQL.identifier(name) for name in names)
    arrays = SQL(", ").join(
        SQL(
            "%s::%s[]",
            [None if vals[name] is False and model._fields[name].type != 'boolean' else vals[name]
             for vals in vals_list],
            SQL.identifier(model._fields[name].column_type[0]))
        for name in names
    )
    rows = model.env.execute_query(SQL(
        """
        INSERT INTO %(table)s (%(columns)s, create_uid, write_uid, create_date, write_date)
             SELECT %(columns)s, %(uid)s, %(uid)s, NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
               FROM UNNEST(%(arrays)s) WITH ORDINALITY AS new (%(columns)s, turn_of_row)
           ORDER BY turn_of_row
          RETURNING id
        """,
        table=SQL.identifier(model._table), columns=columns, arrays=arrays, uid=model.env.uid,
    ))
    return [row_id for (row_id,) in rows]


def log_on(records, bodies):
    """Log one line on each of many records, as ``_message_log_batch`` does.

    Core writes the first; for the others its row is copied in one statement, with their own text. So whatever core or
    another addon puts on such a message is on all of them, at the price of one.

    :param dict bodies: ``{record id: Markup}``; what several records share is cleaned once
    """
    first, others = records[:1], records[1:]
    if not first:
        return
    message = first._message_log_batch({first.id: bodies[first.id]})
    if not others:
        return
    message.flush_recordset()
    body = message._fields['body']
    cleaned = {text: body.convert_to_column(text, message) for text in {bodies[record.id] for record in others}}
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
