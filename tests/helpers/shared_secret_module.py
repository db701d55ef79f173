"""A module for Synapse that offers the login type com.devture.shared_secret_auth.

Written for the tests from the documented protocol: the token is the HMAC-SHA512 of the full user ID,
in hex, with the shared secret as its key. m.login.password may take the same proof in place of a
password: `types` says which of the two there are.
"""

import hashlib
import hmac

TYPE = 'com.devture.shared_secret_auth'
PASSWORD_TYPE = 'm.login.password'


class SharedSecretModule:
    def __init__(self, config, api):
        self._api = api
        self._secret = config['shared_secret'].encode()
        fields = {TYPE: ('token',), PASSWORD_TYPE: ('password',)}
        checkers = {(name, fields[name]): self._check for name in config['types']}
        api.register_password_auth_provider_callbacks(auth_checkers=checkers)

    @staticmethod
    def parse_config(config):
        return config

    async def _check(self, username, login_type, fields):
        user_id = self._api.get_qualified_user_id(username)
        proof = fields['token' if login_type == TYPE else 'password']
        right = hmac.new(self._secret, user_id.encode(), hashlib.sha512).hexdigest()
        if not hmac.compare_digest(right.encode(), proof.encode()):
            return None
        exists = await self._api.get_userinfo_by_id(user_id) is not None
        return (user_id, None) if exists else None
