"""A package, so that what tests share goes by one name that nothing installed can shadow."""
