"""GST on the foreman's commission, by the day from which a rate holds (domain.md 2, "Tax")."""

from datetime import date
from decimal import Decimal

from django.db import migrations

RATES = [
    (date(2017, 7, 1), Decimal(12), "Concessional entry for foremen of chit funds, to 17-7-2022"),
    (date(2022, 7, 18), Decimal(18), "Residual rate since the concessional entry was omitted"),
]


def add_rates(apps, schema_editor):
    TaxRate = apps.get_model("payments", "TaxRate")
    for valid_from, percent, source in RATES:
        TaxRate.objects.create(valid_from=valid_from, percent=percent, source=source)


def remove_rates(apps, schema_editor):
    TaxRate = apps.get_model("payments", "TaxRate")
    TaxRate.objects.filter(valid_from__in=[rate[0] for rate in RATES]).delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_guard_the_ledger")]

    operations = [migrations.RunPython(add_rates, remove_rates)]
