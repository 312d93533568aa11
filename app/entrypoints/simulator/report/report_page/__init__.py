"""The page of a report: markup, style and scripts, put together by `app.entrypoints.simulator.report.page`."""
