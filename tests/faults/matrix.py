"""The fault matrix: every row there is."""

from tests.faults import rows_connections, rows_processes, rows_publishers, rows_topology
from tests.faults.row import ROWS, Row

#: The modules whose import adds the rows.
SOURCES = (rows_connections, rows_processes, rows_topology, rows_publishers)

MATRIX: tuple[Row, ...] = tuple(ROWS)
