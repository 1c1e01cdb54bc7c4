"""Profiles, nominees, bank accounts, consents, foremen's businesses, requests for erasure.

Two promises are the database's own: the shares of a person's nominees make 100 whenever a
transaction commits, and consents are only ever added.
"""

import chitfund.db
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from chitfund.db import append_only

CONSENTS_FORWARD, CONSENTS_BACKWARD = append_only("consents")

# At commit, under the lock of the person: of two transactions that each wrote a whole set, the
# second waits for the first, sees its rows, and is refused.
SHARES_FORWARD = """
CREATE FUNCTION check_nominee_shares() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person uuid;
    total numeric;
BEGIN
    FOREACH person IN ARRAY ARRAY[
        CASE WHEN TG_OP <> 'DELETE' THEN NEW.user_id END,
        CASE WHEN TG_OP <> 'INSERT' THEN OLD.user_id END
    ] LOOP
        CONTINUE WHEN person IS NULL;
        PERFORM 1 FROM users WHERE id = person FOR NO KEY UPDATE;
        SELECT sum(share) INTO total FROM nominees WHERE user_id = person;
        IF total IS NOT NULL AND total <> 100 THEN
            RAISE EXCEPTION 'the shares of the nominees of a person make 100'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'nominee_shares_make_100',
                    TABLE = 'nominees';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER nominee_shares_make_100
    AFTER INSERT OR UPDATE OR DELETE ON nominees
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_nominee_shares();
"""
SHARES_BACKWARD = """
DROP TRIGGER IF EXISTS nominee_shares_make_100 ON nominees;
DROP FUNCTION IF EXISTS check_nominee_shares();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_external_identities")]

    operations = [
        migrations.CreateModel(
            name='Address',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('kind', models.CharField(choices=[('PERMANENT', 'Permanent'), ('CURRENT', 'Current'), ('DELIVERY', 'Delivery')], max_length=10)),
                ('line1', models.CharField(max_length=160)),
                ('line2', models.CharField(blank=True, max_length=160)),
                ('landmark', models.CharField(blank=True, max_length=120)),
                ('city', models.CharField(max_length=80)),
                ('district', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('AN', 'Andaman and Nicobar Islands'), ('AP', 'Andhra Pradesh'), ('AR', 'Arunachal Pradesh'), ('AS', 'Assam'), ('BR', 'Bihar'), ('CH', 'Chandigarh'), ('CG', 'Chhattisgarh'), ('DH', 'Dadra and Nagar Haveli and Daman and Diu'), ('DL', 'Delhi'), ('GA', 'Goa'), ('GJ', 'Gujarat'), ('HR', 'Haryana'), ('HP', 'Himachal Pradesh'), ('JK', 'Jammu and Kashmir'), ('JH', 'Jharkhand'), ('KA', 'Karnataka'), ('KL', 'Kerala'), ('LA', 'Ladakh'), ('LD', 'Lakshadweep'), ('MP', 'Madhya Pradesh'), ('MH', 'Maharashtra'), ('MN', 'Manipur'), ('ML', 'Meghalaya'), ('MZ', 'Mizoram'), ('NL', 'Nagaland'), ('OR', 'Odisha'), ('PY', 'Puducherry'), ('PB', 'Punjab'), ('RJ', 'Rajasthan'), ('SK', 'Sikkim'), ('TN', 'Tamil Nadu'), ('TG', 'Telangana'), ('TR', 'Tripura'), ('UP', 'Uttar Pradesh'), ('UK', 'Uttarakhand'), ('WB', 'West Bengal')], max_length=2)),
                ('pin_code', models.CharField(max_length=6)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='addresses', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'addresses',
                'db_table': 'user_addresses',
                'ordering': ('kind',),
                'constraints': [models.UniqueConstraint(fields=('user', 'kind'), name='address_one_of_a_kind'), models.CheckConstraint(condition=models.Q(('kind__in', ['PERMANENT', 'CURRENT', 'DELIVERY'])), name='address_kind_known'), models.CheckConstraint(condition=models.Q(('state__in', ['AN', 'AP', 'AR', 'AS', 'BR', 'CH', 'CG', 'DH', 'DL', 'GA', 'GJ', 'HR', 'HP', 'JK', 'JH', 'KA', 'KL', 'LA', 'LD', 'MP', 'MH', 'MN', 'ML', 'MZ', 'NL', 'OR', 'PY', 'PB', 'RJ', 'SK', 'TN', 'TG', 'TR', 'UP', 'UK', 'WB'])), name='address_state_is_known'), models.CheckConstraint(condition=models.Q(('pin_code__regex', '^[1-9][0-9]{5}$')), name='address_pin_code_has_six_digits')],
            },
        ),
        migrations.CreateModel(
            name='BankAccount',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('holder_name', models.CharField(max_length=255)),
                ('number_sealed', models.TextField(editable=False)),
                ('number_index', models.CharField(editable=False, max_length=64)),
                ('number_last4', models.CharField(max_length=4)),
                ('ifsc', models.CharField(max_length=11, verbose_name='IFSC')),
                ('bank_name', models.CharField(max_length=120)),
                ('branch_name', models.CharField(blank=True, max_length=120)),
                ('account_type', models.CharField(choices=[('SAVINGS', 'Savings'), ('CURRENT', 'Current'), ('SALARY', 'Salary'), ('NRI', 'NRI')], max_length=10)),
                ('joint_holder_name', models.CharField(blank=True, max_length=255)),
                ('joint_holder_relation', models.CharField(blank=True, choices=[('SPOUSE', 'Spouse'), ('FATHER', 'Father'), ('MOTHER', 'Mother'), ('SON', 'Son'), ('DAUGHTER', 'Daughter'), ('BROTHER', 'Brother'), ('SISTER', 'Sister'), ('GRANDFATHER', 'Grandfather'), ('GRANDMOTHER', 'Grandmother'), ('GRANDSON', 'Grandson'), ('GRANDDAUGHTER', 'Granddaughter'), ('UNCLE', 'Uncle'), ('AUNT', 'Aunt'), ('OTHER', 'Other')], max_length=15)),
                ('is_primary', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bank_accounts', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'bank_accounts',
                'ordering': ('-is_primary', 'id'),
                'permissions': (('reveal_bankaccount', 'Can read whole bank account numbers'),),
                'constraints': [models.UniqueConstraint(fields=('user', 'number_index'), name='bank_account_number_once_a_person'), models.UniqueConstraint(condition=models.Q(('is_primary', True)), fields=('user',), name='bank_account_one_is_primary'), models.CheckConstraint(condition=models.Q(('account_type__in', ['SAVINGS', 'CURRENT', 'SALARY', 'NRI'])), name='bank_account_type_is_known'), models.CheckConstraint(condition=models.Q(('ifsc__regex', '^[A-Z]{4}0[A-Z0-9]{6}$')), name='bank_account_ifsc_is_one'), models.CheckConstraint(condition=models.Q(('number_last4__regex', '^[0-9]{4}$')), name='bank_account_shows_4_digits'), models.CheckConstraint(condition=models.Q(('number_sealed__regex', '^v1\\.[0-9a-f]{8}\\.[A-Za-z0-9_-]+$')), name='bank_account_number_is_sealed'), models.CheckConstraint(condition=models.Q(('joint_holder_relation', ''), ('joint_holder_relation__in', ['SPOUSE', 'FATHER', 'MOTHER', 'SON', 'DAUGHTER', 'BROTHER', 'SISTER', 'GRANDFATHER', 'GRANDMOTHER', 'GRANDSON', 'GRANDDAUGHTER', 'UNCLE', 'AUNT', 'OTHER']), _connector='OR'), name='bank_account_joint_relation_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('joint_holder_name', ''), ('joint_holder_relation', '')), models.Q(models.Q(('joint_holder_name', ''), _negated=True), models.Q(('joint_holder_relation', ''), _negated=True)), _connector='OR'), name='bank_account_joint_holder_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('DATA_PROCESSING', 'Data processing'), ('DOCUMENT_VERIFICATION', 'Document verification'), ('BACKGROUND_CHECK', 'Background check'), ('TERMS', 'Terms and conditions')], max_length=25)),
                ('version', models.CharField(max_length=20)),
                ('granted', models.BooleanField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'consents',
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['user', 'purpose', '-id'], name='consents_latest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('purpose__in', ['DATA_PROCESSING', 'DOCUMENT_VERIFICATION', 'BACKGROUND_CHECK', 'TERMS'])), name='consent_purpose_is_known')],
            },
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('PENDING', 'Waiting for the office'), ('DONE', 'Done'), ('REFUSED', 'Refused')], default='PENDING', max_length=10)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('erased', models.JSONField(default=list)),
                ('kept', models.JSONField(default=list)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('decision_reason', models.CharField(blank=True, max_length=500)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='erasure_requests', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'erasure request',
                'db_table': 'erasure_requests',
                'ordering': ('-id',),
                'permissions': (('decide_erasurerequest', 'Can decide on erasure requests'),),
                'indexes': [models.Index(fields=['status', 'id'], name='erasure_requests_desk')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'PENDING')), fields=('user',), name='erasure_request_one_waits'), models.CheckConstraint(condition=models.Q(('status__in', ['PENDING', 'DONE', 'REFUSED'])), name='erasure_request_status_is_known'), models.CheckConstraint(condition=models.Q(('status', 'PENDING'), models.Q(('decided_by__isnull', False), models.Q(('decision_reason', ''), _negated=True)), _connector='OR'), name='erasure_request_decision_has_a_reason'), models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('user')), _negated=True), _connector='OR'), name='erasure_request_not_decided_by_self')],
            },
        ),
        migrations.CreateModel(
            name='ForemanProfile',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('company_name', models.CharField(max_length=160)),
                ('licence_number', models.CharField(max_length=60)),
                ('licence_expires_on', models.DateField()),
                ('pan_sealed', models.TextField(editable=False)),
                ('pan_index', models.CharField(editable=False, max_length=64, unique=True)),
                ('pan_masked', models.CharField(max_length=10, verbose_name='PAN')),
                ('state_of_registration', models.CharField(choices=[('AN', 'Andaman and Nicobar Islands'), ('AP', 'Andhra Pradesh'), ('AR', 'Arunachal Pradesh'), ('AS', 'Assam'), ('BR', 'Bihar'), ('CH', 'Chandigarh'), ('CG', 'Chhattisgarh'), ('DH', 'Dadra and Nagar Haveli and Daman and Diu'), ('DL', 'Delhi'), ('GA', 'Goa'), ('GJ', 'Gujarat'), ('HR', 'Haryana'), ('HP', 'Himachal Pradesh'), ('JK', 'Jammu and Kashmir'), ('JH', 'Jharkhand'), ('KA', 'Karnataka'), ('KL', 'Kerala'), ('LA', 'Ladakh'), ('LD', 'Lakshadweep'), ('MP', 'Madhya Pradesh'), ('MH', 'Maharashtra'), ('MN', 'Manipur'), ('ML', 'Meghalaya'), ('MZ', 'Mizoram'), ('NL', 'Nagaland'), ('OR', 'Odisha'), ('PY', 'Puducherry'), ('PB', 'Punjab'), ('RJ', 'Rajasthan'), ('SK', 'Sikkim'), ('TN', 'Tamil Nadu'), ('TG', 'Telangana'), ('TR', 'Tripura'), ('UP', 'Uttar Pradesh'), ('UK', 'Uttarakhand'), ('WB', 'West Bengal')], max_length=2)),
                ('line1', models.CharField(max_length=160)),
                ('line2', models.CharField(blank=True, max_length=160)),
                ('city', models.CharField(max_length=80)),
                ('state', models.CharField(choices=[('AN', 'Andaman and Nicobar Islands'), ('AP', 'Andhra Pradesh'), ('AR', 'Arunachal Pradesh'), ('AS', 'Assam'), ('BR', 'Bihar'), ('CH', 'Chandigarh'), ('CG', 'Chhattisgarh'), ('DH', 'Dadra and Nagar Haveli and Daman and Diu'), ('DL', 'Delhi'), ('GA', 'Goa'), ('GJ', 'Gujarat'), ('HR', 'Haryana'), ('HP', 'Himachal Pradesh'), ('JK', 'Jammu and Kashmir'), ('JH', 'Jharkhand'), ('KA', 'Karnataka'), ('KL', 'Kerala'), ('LA', 'Ladakh'), ('LD', 'Lakshadweep'), ('MP', 'Madhya Pradesh'), ('MH', 'Maharashtra'), ('MN', 'Manipur'), ('ML', 'Meghalaya'), ('MZ', 'Mizoram'), ('NL', 'Nagaland'), ('OR', 'Odisha'), ('PY', 'Puducherry'), ('PB', 'Punjab'), ('RJ', 'Rajasthan'), ('SK', 'Sikkim'), ('TN', 'Tamil Nadu'), ('TG', 'Telangana'), ('TR', 'Tripura'), ('UP', 'Uttar Pradesh'), ('UK', 'Uttarakhand'), ('WB', 'West Bengal')], max_length=2)),
                ('pin_code', models.CharField(max_length=6, verbose_name='PIN code')),
                ('designation', models.CharField(max_length=120)),
                ('status', models.CharField(choices=[('DRAFT', 'Draft'), ('SUBMITTED', 'Waiting for review'), ('APPROVED', 'Approved'), ('RETURNED', 'Returned')], default='DRAFT', max_length=10)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('return_reason', models.CharField(blank=True, max_length=500)),
                ('last_approved', models.JSONField(blank=True, editable=False, null=True)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='foreman_profile', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'foreman profile',
                'db_table': 'foreman_profiles',
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['status', 'submitted_at'], name='foreman_profiles_desk'), models.Index(fields=['licence_expires_on'], name='foreman_profiles_expiry'), models.Index(fields=['licence_number'], name='foreman_profiles_licence')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['DRAFT', 'SUBMITTED', 'APPROVED', 'RETURNED'])), name='foreman_profile_status_is_known'), models.CheckConstraint(condition=models.Q(('state_of_registration__in', ['AN', 'AP', 'AR', 'AS', 'BR', 'CH', 'CG', 'DH', 'DL', 'GA', 'GJ', 'HR', 'HP', 'JK', 'JH', 'KA', 'KL', 'LA', 'LD', 'MP', 'MH', 'MN', 'ML', 'MZ', 'NL', 'OR', 'PY', 'PB', 'RJ', 'SK', 'TN', 'TG', 'TR', 'UP', 'UK', 'WB']), ('state__in', ['AN', 'AP', 'AR', 'AS', 'BR', 'CH', 'CG', 'DH', 'DL', 'GA', 'GJ', 'HR', 'HP', 'JK', 'JH', 'KA', 'KL', 'LA', 'LD', 'MP', 'MH', 'MN', 'ML', 'MZ', 'NL', 'OR', 'PY', 'PB', 'RJ', 'SK', 'TN', 'TG', 'TR', 'UP', 'UK', 'WB'])), name='foreman_profile_states_are_known'), models.CheckConstraint(condition=models.Q(('pin_code__regex', '^[1-9][0-9]{5}$')), name='foreman_profile_pin_code_six_digits'), models.CheckConstraint(condition=models.Q(('pan_masked__regex', '^X{6}[0-9]{3}[A-Z]$'), ('pan_sealed__regex', '^v1\\.[0-9a-f]{8}\\.[A-Za-z0-9_-]+$')), name='foreman_profile_pan_is_sealed'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'RETURNED'), _negated=True), models.Q(('return_reason', ''), _negated=True), _connector='OR'), name='foreman_profile_return_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'APPROVED'), _negated=True), ('decided_by__isnull', False), _connector='OR'), name='foreman_profile_approval_has_a_person'), models.CheckConstraint(condition=models.Q(('decided_by__isnull', True), models.Q(('decided_by', models.F('user')), _negated=True), _connector='OR'), name='foreman_profile_not_decided_by_self')],
            },
        ),
        migrations.CreateModel(
            name='Nominee',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('full_name', models.CharField(max_length=255)),
                ('relation', models.CharField(choices=[('SPOUSE', 'Spouse'), ('FATHER', 'Father'), ('MOTHER', 'Mother'), ('SON', 'Son'), ('DAUGHTER', 'Daughter'), ('BROTHER', 'Brother'), ('SISTER', 'Sister'), ('GRANDFATHER', 'Grandfather'), ('GRANDMOTHER', 'Grandmother'), ('GRANDSON', 'Grandson'), ('GRANDDAUGHTER', 'Granddaughter'), ('UNCLE', 'Uncle'), ('AUNT', 'Aunt'), ('OTHER', 'Other')], max_length=15)),
                ('date_of_birth', models.DateField()),
                ('share', models.DecimalField(decimal_places=2, max_digits=5)),
                ('contact_number', models.CharField(max_length=15)),
                ('email', models.EmailField(blank=True, max_length=255)),
                ('guardian_name', models.CharField(blank=True, max_length=255)),
                ('guardian_relation', models.CharField(blank=True, choices=[('SPOUSE', 'Spouse'), ('FATHER', 'Father'), ('MOTHER', 'Mother'), ('SON', 'Son'), ('DAUGHTER', 'Daughter'), ('BROTHER', 'Brother'), ('SISTER', 'Sister'), ('GRANDFATHER', 'Grandfather'), ('GRANDMOTHER', 'Grandmother'), ('GRANDSON', 'Grandson'), ('GRANDDAUGHTER', 'Granddaughter'), ('UNCLE', 'Uncle'), ('AUNT', 'Aunt'), ('OTHER', 'Other')], max_length=15)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='nominees', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'db_table': 'nominees',
                'ordering': ('id',),
                'constraints': [models.CheckConstraint(condition=models.Q(('relation__in', ['SPOUSE', 'FATHER', 'MOTHER', 'SON', 'DAUGHTER', 'BROTHER', 'SISTER', 'GRANDFATHER', 'GRANDMOTHER', 'GRANDSON', 'GRANDDAUGHTER', 'UNCLE', 'AUNT', 'OTHER'])), name='nominee_relation_is_known'), models.CheckConstraint(condition=models.Q(('guardian_relation', ''), ('guardian_relation__in', ['SPOUSE', 'FATHER', 'MOTHER', 'SON', 'DAUGHTER', 'BROTHER', 'SISTER', 'GRANDFATHER', 'GRANDMOTHER', 'GRANDSON', 'GRANDDAUGHTER', 'UNCLE', 'AUNT', 'OTHER']), _connector='OR'), name='nominee_guardian_relation_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('guardian_name', ''), ('guardian_relation', '')), models.Q(models.Q(('guardian_name', ''), _negated=True), models.Q(('guardian_relation', ''), _negated=True)), _connector='OR'), name='nominee_guardian_is_whole'), models.CheckConstraint(condition=models.Q(('share__gt', 0), ('share__lte', 100)), name='nominee_share_is_a_share'), models.CheckConstraint(condition=models.Q(('contact_number__regex', '^\\+[1-9][0-9]{6,13}$')), name='nominee_contact_number_is_e164')],
            },
        ),
        migrations.CreateModel(
            name='UserProfile',
            fields=[
                ('id', models.UUIDField(default=chitfund.db.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('occupation', models.CharField(blank=True, choices=[('SALARIED', 'Salaried employee'), ('SELF_EMPLOYED', 'Self employed'), ('BUSINESS_OWNER', 'Business owner'), ('PROFESSIONAL', 'Professional'), ('GOVERNMENT', 'Government employee'), ('RETIRED', 'Retired'), ('STUDENT', 'Student'), ('HOMEMAKER', 'Homemaker'), ('FARMER', 'Farmer'), ('OTHER', 'Other')], max_length=20)),
                ('annual_income', models.CharField(blank=True, choices=[('BELOW_1_LAKH', 'Below 1 lakh'), ('FROM_1_TO_3_LAKH', '1 to 3 lakh'), ('FROM_3_TO_5_LAKH', '3 to 5 lakh'), ('FROM_5_TO_10_LAKH', '5 to 10 lakh'), ('FROM_10_TO_25_LAKH', '10 to 25 lakh'), ('ABOVE_25_LAKH', 'Above 25 lakh')], max_length=20)),
                ('income_source', models.CharField(blank=True, choices=[('SALARY', 'Salary'), ('BUSINESS', 'Business'), ('PROFESSION', 'Profession'), ('AGRICULTURE', 'Agriculture'), ('PENSION', 'Pension'), ('RENT', 'Rent'), ('INVESTMENTS', 'Investments'), ('FAMILY', 'Family'), ('OTHER', 'Other')], max_length=20)),
                ('employer', models.CharField(blank=True, max_length=160)),
                ('designation', models.CharField(blank=True, max_length=120)),
                ('experience_years', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='profile', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'profile',
                'db_table': 'user_profiles',
                'constraints': [models.CheckConstraint(condition=models.Q(('occupation', ''), ('occupation__in', ['SALARIED', 'SELF_EMPLOYED', 'BUSINESS_OWNER', 'PROFESSIONAL', 'GOVERNMENT', 'RETIRED', 'STUDENT', 'HOMEMAKER', 'FARMER', 'OTHER']), _connector='OR'), name='profile_occupation_is_known'), models.CheckConstraint(condition=models.Q(('annual_income', ''), ('annual_income__in', ['BELOW_1_LAKH', 'FROM_1_TO_3_LAKH', 'FROM_3_TO_5_LAKH', 'FROM_5_TO_10_LAKH', 'FROM_10_TO_25_LAKH', 'ABOVE_25_LAKH']), _connector='OR'), name='profile_annual_income_is_known'), models.CheckConstraint(condition=models.Q(('income_source', ''), ('income_source__in', ['SALARY', 'BUSINESS', 'PROFESSION', 'AGRICULTURE', 'PENSION', 'RENT', 'INVESTMENTS', 'FAMILY', 'OTHER']), _connector='OR'), name='profile_income_source_is_known'), models.CheckConstraint(condition=models.Q(('experience_years__isnull', True), ('experience_years__lte', 50), _connector='OR'), name='profile_experience_is_at_most_50')],
            },
        ),
        migrations.RunSQL(CONSENTS_FORWARD, CONSENTS_BACKWARD),
        migrations.RunSQL(SHARES_FORWARD, SHARES_BACKWARD),
    ]
