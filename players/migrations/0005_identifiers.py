"""Identifiers are ordered by their bytes, which no upgrade of the operating system changes."""

import django.contrib.auth.validators
import django.core.validators
from django.db import migrations, models

from lib.collate_c import CollateC


class Migration(migrations.Migration):
    # Indexes are built beside the old ones, which no transaction can do.
    atomic = False
    dependencies = [("players", "0004_texts")]
    operations = [
        CollateC("players_operator", "username"),
        CollateC("players_credential", "username"),
        CollateC("players_game", "slug"),
        CollateC("players_player", "uid"),
        CollateC("players_gamesession", "currency_code"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="operator",
                    name="username",
                    field=models.CharField(
                        db_collation="C",
                        error_messages={"unique": "A user with that username already exists."},
                        help_text="At most 150 letters without accents, digits and @ . + - _",
                        max_length=150,
                        unique=True,
                        validators=[django.contrib.auth.validators.ASCIIUsernameValidator()],
                    ),
                ),
                migrations.AlterField(
                    model_name="credential",
                    name="username",
                    field=models.CharField(
                        db_collation="C",
                        max_length=64,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Za-z0-9._@-]+\\Z", "Letters, digits and . _ @ - only."
                            )
                        ],
                    ),
                ),
                migrations.AlterField(
                    model_name="game",
                    name="slug",
                    field=models.SlugField(db_collation="C", max_length=40, unique=True),
                ),
                migrations.AlterField(
                    model_name="gamesession",
                    name="currency_code",
                    field=models.CharField(db_collation="C", max_length=12),
                ),
                migrations.AlterField(
                    model_name="player",
                    name="uid",
                    field=models.CharField(
                        db_collation="C",
                        max_length=64,
                        unique=True,
                        validators=[django.core.validators.RegexValidator("\\A[A-Za-z0-9._:@-]{1,64}\\Z")],
                    ),
                ),
            ]
        ),
    ]
