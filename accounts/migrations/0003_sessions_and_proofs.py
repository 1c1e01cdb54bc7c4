from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_make_audit_append_only")]

    operations = [
        migrations.AddField(
            model_name="authsession",
            name="signed_in_with",
            field=models.CharField(
                choices=[
                    ("PASSWORD", "Password"),
                    ("OIDC", "Another provider"),
                ],
                default="PASSWORD",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="authsession",
            name="second_factor_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="authsession",
            constraint=models.CheckConstraint(
                condition=models.Q(signed_in_with__in=["PASSWORD", "OIDC"]),
                name="auth_session_method_is_known",
            ),
        ),
        migrations.AddField(
            model_name="authsession",
            name="reuse_detected_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="accountmail",
            name="address",
            field=models.EmailField(blank=True, max_length=255),
        ),
        migrations.AddConstraint(
            model_name="accountmail",
            constraint=models.CheckConstraint(
                condition=~models.Q(purpose="EMAIL_CHANGE")
                | models.Q(user=None)
                | ~models.Q(address=""),
                name="account_mail_to_a_new_address_has_one",
            ),
        ),
    ]
