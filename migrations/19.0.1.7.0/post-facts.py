def migrate(cr, version):
    """Postal days are dated data now: what the setting says only lengthens that, so what was the law's becomes 0."""
    cr.execute("UPDATE res_company SET dunning_postal_days = 0 WHERE dunning_postal_days <= 3")
