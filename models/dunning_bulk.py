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
