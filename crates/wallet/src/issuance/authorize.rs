//! From an offer to a token: by the code in it, by a visit to the server's website, or by a refresh
//! token.

use rand_core::CryptoRng;
use realdid_checks::passes;
use realdid_openid::oauth::token::Grant;
use realdid_openid::oauth::{AuthorizationDetail, PushedResponse, TokenRequest, TokenResponse};
use realdid_openid::oidc::CodeChallenge;
use url::Url;

use super::collect::Collecting;
use super::exchange::{Access, Body, Endpoint, Fetch, Fetched, endpoint_url};
use super::pending::{PendingIssuance, awaited, fresh_id, refresh_token};
use super::plan::Authorization;
use super::{CLIENT_ID, Issuance, IssuanceError, Stage, success};
use crate::names::clean;

/// A visit to the authorization server: what only this wallet knows about it.
#[derive(Debug)]
pub(super) struct Visit {
    state: String,
    verifier: String,
    redirect_uri: String,
}

impl Issuance {
    /// The holder agrees to the preview; with the transaction code, if one is needed.
    ///
    /// # Errors
    /// [`IssuanceError::TxCodeMissing`], [`IssuanceError::TxCodeForm`], [`IssuanceError::Grant`] if a
    /// browser is needed and there is no way back from it.
    pub fn agreed(&mut self, tx_code: Option<&str>, rng: &mut impl CryptoRng) -> Result<(), IssuanceError> {
        let Stage::Agree(preview) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        self.stage = match &preview.authorization {
            Authorization::PreAuthorized { tx_code: prompt } => {
                let tx_code = tx_code.filter(|_| prompt.is_some());
                if !passes("WVC-02", prompt.is_none() || tx_code.is_some()) {
                    return Err(IssuanceError::TxCodeMissing);
                }
                if let (Some(prompt), Some(code)) = (prompt, tx_code) {
                    prompt.check(code)?;
                }
                Stage::Token(self.pre_authorized_request(tx_code)?)
            }
            Authorization::Browser => {
                let redirect_uri = self.options.redirect_uri.clone().ok_or(IssuanceError::Grant)?;
                let mut bytes = [0; 64];
                rng.fill_bytes(&mut bytes);
                let visit = Box::new(Visit {
                    state: realdid_crypto::base64url_encode(&bytes[..32]),
                    verifier: realdid_crypto::base64url_encode(&bytes[32..]),
                    redirect_uri,
                });
                let server = self.server.as_ref().ok_or(IssuanceError::Damaged)?;
                if server.pushed_authorization_request_endpoint.is_some() {
                    Stage::Push(visit)
                } else {
                    let parameters = self.authorization_parameters(&visit)?;
                    let url = self.authorization_url(&parameters)?;
                    Stage::Browse(visit, url)
                }
            }
        };
        Ok(())
    }

    fn pre_authorized_request(&self, tx_code: Option<&str>) -> Result<TokenRequest, IssuanceError> {
        let grants = self.offer.as_ref().map(|offer| &offer.grants);
        let grant = grants.and_then(|grants| grants.pre_authorized_code.as_ref());
        let grant = grant.ok_or(IssuanceError::Damaged)?;
        let anonymous = self.options.client_id.is_none();
        let server = self.server.as_ref().ok_or(IssuanceError::Damaged)?;
        let named = !anonymous || !server.pre_authorized_grant_anonymous_access_supported;
        Ok(TokenRequest {
            grant: Grant::PreAuthorized {
                code: grant.pre_authorized_code.clone(),
                tx_code: tx_code.map(str::to_owned),
            },
            client_id: named.then(|| self.client_id()),
            authorization_details: Vec::new(),
        })
    }

    /// The request for a new token by the refresh token at hand.
    pub(super) fn refresh_request(&self) -> Result<TokenRequest, IssuanceError> {
        let (token, client_id) = match (&self.pending, &self.refreshed) {
            (Some(pending), _) => (&pending.refresh_token, &pending.client_id),
            (None, Some(held)) => (&held.renewal.refresh_token, &held.renewal.client_id),
            (None, None) => return Err(IssuanceError::Damaged),
        };
        let token = token.as_ref().ok_or(IssuanceError::NoRefresh)?;
        Ok(TokenRequest {
            grant: Grant::Refresh {
                refresh_token: String::from_utf8_lossy(token.expose()).into_owned(),
            },
            client_id: client_id.clone(),
            authorization_details: Vec::new(),
        })
    }

    fn client_id(&self) -> String {
        self.options
            .client_id
            .clone()
            .unwrap_or_else(|| CLIENT_ID.to_owned())
    }

    pub(super) fn server_endpoint(&self, endpoint: Endpoint) -> Result<Url, IssuanceError> {
        let server = self.server.as_ref().ok_or(IssuanceError::Damaged)?;
        let text = match endpoint {
            Endpoint::Push => &server.pushed_authorization_request_endpoint,
            Endpoint::Authorization => &server.authorization_endpoint,
            _ => &server.token_endpoint,
        };
        let text = text.as_deref().ok_or(IssuanceError::NoEndpoint(endpoint))?;
        endpoint_url(endpoint, text, self.options.sandbox)
    }

    /// What is asked of the authorization server (OpenID4VCI 1.0 §5.1): by authorization details where
    /// they are understood or there is no scope, else by scope.
    fn authorization_parameters(&self, visit: &Visit) -> Result<Vec<(&'static str, String)>, IssuanceError> {
        let (Some(server), Some(metadata)) = (&self.server, &self.metadata) else {
            return Err(IssuanceError::Damaged);
        };
        let mut parameters = vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.client_id()),
            ("redirect_uri", visit.redirect_uri.clone()),
            ("state", visit.state.clone()),
            ("code_challenge", challenge(&visit.verifier)),
            ("code_challenge_method", "S256".to_owned()),
        ];
        let scopes: Option<Vec<&str>> = self
            .wanted
            .iter()
            .map(|wanted| {
                let found = metadata
                    .credential_configurations_supported
                    .get(&wanted.configuration);
                found.and_then(|found| found.scope.as_deref())
            })
            .collect();
        let details = server
            .authorization_details_types_supported
            .iter()
            .any(|kind| kind == "openid_credential");
        match scopes.filter(|_| !details) {
            Some(scopes) => {
                parameters.push(("scope", scopes.join(" ")));
                if !metadata.authorization_servers.is_empty() {
                    parameters.push(("resource", self.issuer.clone()));
                }
            }
            None => parameters.push(("authorization_details", self.details()?)),
        }
        let grant = self
            .offer
            .as_ref()
            .and_then(|offer| offer.grants.authorization_code.as_ref());
        if let Some(state) = grant.and_then(|grant| grant.issuer_state.clone()) {
            parameters.push(("issuer_state", state));
        }
        if let Some(dpop) = &self.dpop {
            parameters.push(("dpop_jkt", dpop.thumbprint()));
        }
        Ok(parameters)
    }

    fn details(&self) -> Result<String, IssuanceError> {
        let several = self
            .metadata
            .as_ref()
            .is_some_and(|metadata| !metadata.authorization_servers.is_empty());
        let detail = |wanted: &super::Offered| AuthorizationDetail {
            locations: if several {
                vec![self.issuer.clone()]
            } else {
                Vec::new()
            },
            ..AuthorizationDetail::request(&wanted.configuration)
        };
        let details: Vec<_> = self.wanted.iter().map(detail).collect();
        serde_json::to_string(&details).map_err(|_| IssuanceError::Damaged)
    }

    fn authorization_url(&self, parameters: &[(&str, String)]) -> Result<Url, IssuanceError> {
        let mut url = self.server_endpoint(Endpoint::Authorization)?;
        url.query_pairs_mut().extend_pairs(parameters);
        Ok(url)
    }

    pub(super) fn push(
        &self,
        visit: &Visit,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Fetch, IssuanceError> {
        let url = self.server_endpoint(Endpoint::Push)?;
        Ok(Fetch {
            endpoint: Endpoint::Push,
            headers: self.proof_header(&url, now, rng)?,
            body: Body::Form(self.authorization_parameters(visit)?),
            url,
        })
    }

    pub(super) fn pushed(&mut self, answer: &Fetched) -> Result<(), IssuanceError> {
        let answer = success(answer, Endpoint::Push)?;
        let pushed: PushedResponse =
            serde_json::from_slice(&answer.body).map_err(|_| IssuanceError::Answer(Endpoint::Push))?;
        let parameters = [
            ("client_id", self.client_id()),
            ("request_uri", pushed.request_uri),
        ];
        let url = self.authorization_url(&parameters)?;
        self.repeated = false;
        match std::mem::replace(&mut self.stage, Stage::IssuerMetadata) {
            Stage::Push(visit) => self.stage = Stage::Browse(visit, url),
            _ => return Err(IssuanceError::Damaged),
        }
        Ok(())
    }

    /// The browser came back to the redirect address, with this one.
    ///
    /// # Errors
    /// [`IssuanceError::State`], [`IssuanceError::MixUp`], [`IssuanceError::NoCode`],
    /// [`IssuanceError::Refused`] with what the server says.
    pub fn returned(&mut self, address: &Url) -> Result<(), IssuanceError> {
        let Stage::Browse(visit, _) = &self.stage else {
            return Err(IssuanceError::Damaged);
        };
        let server = self.server.as_ref().ok_or(IssuanceError::Damaged)?;
        let one = |name: &str| {
            let mut values = address.query_pairs().filter(|(found, _)| found == name);
            let value = values.next().map(|(_, value)| value.into_owned());
            value.filter(|_| values.next().is_none())
        };
        if !passes("WVC-12", one("state").as_deref() == Some(visit.state.as_str())) {
            return Err(IssuanceError::State);
        }
        let from = one("iss");
        let named = from.is_some() || !server.authorization_response_iss_parameter_supported;
        if !passes("WVC-13", named && from.is_none_or(|from| from == server.issuer)) {
            return Err(IssuanceError::MixUp);
        }
        if let Some(error) = one("error") {
            return Err(IssuanceError::Refused {
                endpoint: Endpoint::Authorization,
                error: clean(&error, 64),
                description: one("error_description").map(|text| clean(&text, 200)),
            });
        }
        let request = TokenRequest {
            grant: Grant::AuthorizationCode {
                code: one("code").ok_or(IssuanceError::NoCode)?,
                redirect_uri: visit.redirect_uri.clone(),
                code_verifier: visit.verifier.clone(),
            },
            client_id: Some(self.client_id()),
            authorization_details: Vec::new(),
        };
        self.stage = Stage::Token(request);
        Ok(())
    }

    pub(super) fn token(
        &self,
        request: &TokenRequest,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Fetch, IssuanceError> {
        let url = self.server_endpoint(Endpoint::Token)?;
        let mut headers = self.proof_header(&url, now, rng)?;
        headers.push(("accept", "application/json".to_owned()));
        Ok(Fetch {
            endpoint: Endpoint::Token,
            headers,
            body: Body::Form(request.to_form()),
            url,
        })
    }

    fn proof_header(
        &self,
        url: &Url,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<Vec<(&'static str, String)>, IssuanceError> {
        match &self.dpop {
            None => Ok(Vec::new()),
            Some(key) => Ok(vec![("dpop", key.proof(url, None, now, rng)?)]),
        }
    }

    pub(super) fn token_received(
        &mut self,
        answer: &Fetched,
        now: u64,
        rng: &mut impl CryptoRng,
    ) -> Result<(), IssuanceError> {
        let answer = success(answer, Endpoint::Token)?;
        let response: TokenResponse =
            serde_json::from_slice(&answer.body).map_err(|_| IssuanceError::Answer(Endpoint::Token))?;
        let client_id = match &self.stage {
            Stage::Token(request) => request.client_id.clone(),
            _ => return Err(IssuanceError::Damaged),
        };
        if let Some(pending) = &mut self.pending {
            pending.renew(&response, now)?;
        } else {
            let held = self.refreshed.as_ref();
            self.pending = Some(PendingIssuance {
                id: fresh_id(rng),
                issuer: self.issuer.clone(),
                begun_at: now,
                replaces: self.replaces,
                authorization_server: self.authorization_server()?.to_owned(),
                client_id,
                access: Access::of(&response, now)?,
                refresh_token: refresh_token(&response)
                    .or_else(|| held.and_then(|held| held.renewal.refresh_token.clone())),
                dpop_key: self.dpop.as_ref().map(|dpop| dpop.secret().clone()),
                awaited: self.awaited_of(&response)?,
            });
        }
        (self.unsaved, self.repeated) = (true, false);
        self.stage = Stage::Collect(Collecting::Next);
        Ok(())
    }

    fn awaited_of(&self, response: &TokenResponse) -> Result<Vec<super::pending::Awaited>, IssuanceError> {
        let mut all = awaited(&self.wanted, &response.authorization_details)?;
        if let Some(held) = &self.refreshed {
            // Of several data sets, the one that is held; a server need not name them again.
            if response.authorization_details.is_empty() {
                all.iter_mut()
                    .for_each(|one| one.identifier.clone_from(&held.renewal.identifier));
            } else if all.iter().any(|one| one.identifier == held.renewal.identifier) {
                all.retain(|one| one.identifier == held.renewal.identifier);
            }
            all.truncate(1);
        }
        Ok(all)
    }
}

/// The S256 challenge of a verifier (RFC 7636 §4.2).
fn challenge(verifier: &str) -> String {
    let text = serde_json::to_value(CodeChallenge::of(verifier)).unwrap_or_default();
    text.as_str().unwrap_or_default().to_owned()
}
