"""Where rows live: engine, tables, migrations, the tenant filter, audit and sealing."""
