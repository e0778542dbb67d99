"""What every test may ask for."""

pytest_plugins = ["tests.fixtures.s3", "tests.fixtures.shared_data"]
