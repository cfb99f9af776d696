"""SQL of rows with other values."""

from odoo.tools import SQL


def select_changed(model, others, source=None, where=None):
    """Return SQL of all columns of a model, some of them with another value.

    :param others: ``{column: SQL of its value}``
    :param source: SQL of the ``FROM``, in which the table has its own name; None: the table alone
    :param where: SQL of a condition; None: all rows
    """
    table = SQL.identifier(model._table)
    names = [name for name, field in model._fields.items() if field.store and field.column_type]
    columns = SQL(", ").join(
        SQL("%s AS %s", others.get(name, SQL("%s.%s", table, SQL.identifier(name))), SQL.identifier(name))
        for name in names)
    return SQL(
        "SELECT %s FROM %s WHERE %s", columns, source or table, where or SQL("TRUE"),
        to_flush=[model._fields[name] for name in others])
