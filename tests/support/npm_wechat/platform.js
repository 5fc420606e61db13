// The platform's side of a callback by a published package: one JSON request on standard input, one JSON answer out.
'use strict';

const crypto = require('crypto');
const WXBizMsgCrypt = require('wechat-crypto');

const sha1 = (...parts) => crypto.createHash('sha1').update(parts.sort().join('')).digest('hex');
const field = (xml, name) => new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`, 's').exec(xml)[1];

const commands = {
  // {xml, timestamp, nonce} becomes the query and body that the platform would post.
  callback(cryptor, { token, account, xml, timestamp, nonce }) {
    const encrypt = cryptor.encrypt(xml);
    return {
      query: {
        signature: sha1(token, timestamp, nonce),
        timestamp,
        nonce,
        encrypt_type: 'aes',
        msg_signature: cryptor.getSignature(timestamp, nonce, encrypt),
      },
      body: `<xml><ToUserName><![CDATA[${account}]]></ToUserName><Encrypt><![CDATA[${encrypt}]]></Encrypt></xml>`,
    };
  },
  // {body} of an encrypted reply becomes its XML, if the signature is right.
  reply(cryptor, { body }) {
    const [encrypt, signature] = [field(body, 'Encrypt'), field(body, 'MsgSignature')];
    const expected = cryptor.getSignature(field(body, 'TimeStamp'), field(body, 'Nonce'), encrypt);
    if (signature !== expected) throw new Error('the reply is not signed as it should be');
    const { message, id } = cryptor.decrypt(encrypt);
    return { xml: message, app_id: id };
  },
};

const request = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const cryptor = new WXBizMsgCrypt(request.token, request.aes_key, request.app_id);
process.stdout.write(JSON.stringify(commands[request.do](cryptor, request)));
