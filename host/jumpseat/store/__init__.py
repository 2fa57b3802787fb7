"""Tables, migrations and queries. One ``Store`` per host; one module per noun, with plain functions that take a connection.

No rule of the product lives here but those that only a database can keep: what is unique, and which state may follow which
(every change of state is a compare-and-set).
"""

from jumpseat.store.store import Store as Store
